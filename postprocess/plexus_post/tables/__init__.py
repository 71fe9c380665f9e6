"""What a run tells, as tables of texts for the terminal and the report."""
