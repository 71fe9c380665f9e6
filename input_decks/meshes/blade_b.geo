// Blade B: a cambered slab with through-span cooling holes on a root block, lengths in millimetres. Regenerate with
//   python input_decks/meshes/make.py blade_b blade_b_s
//
// x: chord, y: thickness, z: span; the slab stands on the plane z = 0. Its section lies between two concentric arcs
// about the camber arc of the given sagitta; its ends are round.
SetFactory("OpenCASCADE");
// The small mesh (blade_b_s) has other values of these.
DefineConstant[ size = 2.6, chord = 20, thickness = 5, sagitta = 1.5, span = 50, holes = 4, diameter = 2, fillet = 2, around = 6 ];
width = 30; depth = 20; height = 8;

// Camber arc through (-a, 0), (0, sagitta), (a, 0): radius r, centre (0, sagitta - r), half angle w
a = (chord - thickness) / 2;
r = (a^2 + sagitta^2) / (2 * sagitta);
w = Asin(a / r); yc = sagitta - r;
ro = r + thickness / 2; ri = r - thickness / 2;

centre = newp; Point(centre) = {0, yc, 0};
For side In {-1 : 1 : 2}
  p = newp; Point(p) = {side * ro * Sin(w), yc + ro * Cos(w), 0}; outer[(side + 1) / 2] = p;
  p = newp; Point(p) = {side * ri * Sin(w), yc + ri * Cos(w), 0}; inner[(side + 1) / 2] = p;
  p = newp; Point(p) = {side * r * Sin(w), yc + r * Cos(w), 0}; end[(side + 1) / 2] = p;
  // middle of the round end: from the arc's end along the camber's direction
  p = newp; Point(p) = {side * (r * Sin(w) + thickness / 2 * Cos(w)), yc + r * Cos(w) - thickness / 2 * Sin(w), 0};
  tip[(side + 1) / 2] = p;
EndFor
top = newl; Circle(top) = {outer[0], centre, outer[1]};
e1 = newl; Circle(e1) = {outer[1], end[1], tip[1]}; e2 = newl; Circle(e2) = {tip[1], end[1], inner[1]};
bottom = newl; Circle(bottom) = {inner[1], centre, inner[0]};
e3 = newl; Circle(e3) = {inner[0], end[0], tip[0]}; e4 = newl; Circle(e4) = {tip[0], end[0], outer[0]};
loop = newll; Curve Loop(loop) = {top, e1, e2, bottom, e3, e4};
section = news; Plane Surface(section) = {loop};
slab[] = Extrude {0, 0, span} { Surface{section}; };

block = newv; Box(block) = {-width / 2, -depth / 2, -height, width, depth, height};
whole[] = BooleanUnion{ Volume{slab[1]}; Delete; }{ Volume{block}; Delete; };
If (fillet > 0)
  foot[] = Curve In BoundingBox{-chord / 2 - 0.1, -thickness, -0.01, chord / 2 + 0.1, thickness + sagitta, 0.01};
  whole[] = Fillet{whole[0]}{foot[]}{fillet};
EndIf

// Holes along the camber arc at equal angles, through slab and block
bores[] = {};
For i In {1 : holes}
  phi = w * (2 * i - holes - 1) / holes;
  c = newv; Cylinder(c) = {r * Sin(phi), yc + r * Cos(phi), -height - 1, 0, 0, height + span + 2, diameter / 2};
  bores[] += c;
EndFor
whole[] = BooleanDifference{ Volume{whole[0]}; Delete; }{ Volume{bores[]}; Delete; };

// The plane z = 0 parts slab and block
cut = news; Rectangle(cut) = {-width, -depth, 0, 2 * width, 2 * depth};
parts[] = BooleanFragments{ Volume{whole[0]}; Delete; }{ Surface{cut}; Delete; };
// what of the plane lies outside of the body goes
Recursive Delete { Surface{ : }; }

t = 0.01; far = 1000;
airfoil[] = Volume In BoundingBox{-far, -far, -t, far, far, far};
root[] = Volume In BoundingBox{-far, -far, -far, far, far, t};
Physical Volume("airfoil") = airfoil[];
Physical Volume("root") = root[];
Physical Surface("root_bottom") = Surface In BoundingBox{-far, -far, -height - t, far, far, -height + t};
Physical Surface("root_left") = Surface In BoundingBox{-width / 2 - t, -far, -far, -width / 2 + t, far, t};
Physical Surface("root_front") = Surface In BoundingBox{-far, -depth / 2 - t, -far, far, -depth / 2 + t, t};
Physical Surface("tip") = Surface In BoundingBox{-far, -far, span - t, far, far, span + t};
Physical Surface("pressure_side") = Surface In BoundingBox{-ri * Sin(w) - t, -far, fillet - t, ri * Sin(w) + t, yc + ri + t, span + t};

Mesh.MeshSizeMin = size / 2; Mesh.MeshSizeMax = size; Mesh.MeshSizeFromCurvature = around;
Mesh.Algorithm3D = 1; Mesh.OptimizeNetgen = 1; Mesh.ElementOrder = 2; Mesh.HighOrderOptimize = 2; Mesh.Binary = 1;
