"""Pictures of certain tables, one per file; see `plexus_post.pictures.history.Kind`."""
