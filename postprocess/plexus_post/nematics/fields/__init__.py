"""Pictures of a nematic's fields, one per file; see `plexus_post.pictures.scenes.Kind`."""
