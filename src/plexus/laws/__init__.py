"""Members of kind ``law``: how a solid answers a path of strain, at small strain."""
