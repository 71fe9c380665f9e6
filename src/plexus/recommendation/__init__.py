"""Which model of a dictionary for a load: features of its field, augmentation, classifiers."""
