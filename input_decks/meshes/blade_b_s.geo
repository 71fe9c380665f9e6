// Blade B, small: three holes, no fillet, coarse.
size = 5; holes = 3; fillet = 0; around = 4;
Include "blade_b.geo";
