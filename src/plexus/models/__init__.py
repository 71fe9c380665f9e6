"""Models of fluids in Fourier space, as steppers see them: a stiff linear part and the rest."""
