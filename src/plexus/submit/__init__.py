"""`plexus submit`: a deck, a machine's profile and a template become a job script, and the script a job."""
