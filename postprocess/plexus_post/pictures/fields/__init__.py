"""Fields that mean more than their numbers, one per file; see `plexus_post.pictures.scenes.Kind`."""
