"""Many small systems at a time on the device, one method per file, each sample as if it were alone.

A sample stops at its own tolerance and is not touched again, so that its result does not depend on the batch
that it is in. One that fails is NaN in the solution and is counted: a loss that forgets it cannot be read as
a number. It has no part in a gradient.
"""
