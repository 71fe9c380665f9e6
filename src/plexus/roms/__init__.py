"""Members of kind ``rom``: reduced models that march in the place of the full one."""
