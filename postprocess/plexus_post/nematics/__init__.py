"""Active nematics in periodic boxes: order, director, defects and their tracks, spectra, horizons, films."""
