// Section of a cooled turbine blade, lengths in millimetres. Regenerate blade.msh with
//   gmsh -2 -order 2 -format msh41 blade.geo
//
// Camber line: quadratic Bezier curve over the chord with given metal angles at inlet and outlet.
// Half thickness at camber parameter s: h(s) = t/2 (A sqrt(s) + B s + C s^2 + D s^3) with A..D such that
// h is greatest (t/2) at s = m and ends with the wedge angle w and the radius r of the round trailing edge.

SetFactory("Built-in");
chord = 60; thickness = 10.2; inlet = 47 * Pi / 180; outlet = 34 * Pi / 180;
m = 0.30; wedge = 4.5 * Pi / 180; r = 0.85;

// Bezier control points (0,0), (bx,by), (chord,0)
bx = chord * Tan(outlet) / (Tan(inlet) + Tan(outlet)); by = bx * Tan(inlet);

// f = 2h/t. The conditions f(1) = e and f'(1) = g give B = 2e - g - 3A/2 + D, C = g - e + A/2 - 2D, so
//   f = A p(s) + D q(s) + (2e - g) s + (g - e) s^2,  p = sqrt(s) - 3s/2 + s^2/2,  q = s - 2s^2 + s^3,
// and f(m) = 1, f'(m) = 0 are two linear equations for A and D.
L = Sqrt((chord - bx)^2 + by^2) * 2;      // |dx/ds| at the trailing edge
e = 2 * r / thickness; g = -2 * L * Tan(wedge) / thickness;
pm = Sqrt(m) - 1.5 * m + m^2 / 2;  pm1 = 0.5 / Sqrt(m) - 1.5 + m;
qm = m - 2 * m^2 + m^3;            qm1 = 1 - 4 * m + 3 * m^2;
u = 1 - (2 * e - g) * m - (g - e) * m^2;   v = -(2 * e - g) - 2 * (g - e) * m;
det = pm * qm1 - qm * pm1;
A = (u * qm1 - qm * v) / det; D = (pm * v - pm1 * u) / det;

Macro Camber   // s -> xc, yc, normal nx, ny, half thickness h
  xc = 2 * s * (1 - s) * bx + s^2 * chord;  yc = 2 * s * (1 - s) * by;
  dx = 2 * (1 - 2 * s) * bx + 2 * s * chord; dy = 2 * (1 - 2 * s) * by;
  length = Sqrt(dx^2 + dy^2); tx = dx / length; ty = dy / length; nx = -ty; ny = tx;
  h = thickness / 2 * (A * (Sqrt(s) - 1.5 * s + s^2 / 2) + D * (s - 2 * s^2 + s^3)
      + (2 * e - g) * s + (g - e) * s^2);
Return

// Profile points: n per side, dense at the nose; 0 is the nose itself
n = 48; nose = 9;
suction[] = {}; pressure[] = {};
For i In {0 : n}
  s = (i / n)^2; Call Camber;
  k = newp; Point(k) = {xc + h * nx, yc + h * ny, 0}; suction[] += k;
  If (i > 0)
    k = newp; Point(k) = {xc - h * nx, yc - h * ny, 0};
  EndIf
  pressure[] += k;
EndFor

// Round trailing edge, tangent to both sides: centre on the camber line
O = newp; Point(O) = {xc - r * Tan(wedge) * tx, yc - r * Tan(wedge) * ty, 0};
R = r / Cos(wedge);
tip = newp; Point(tip) = {xc + (R - r * Tan(wedge)) * tx, yc + (R - r * Tan(wedge)) * ty, 0};

around[] = {};
For i In {0 : nose}
  around[] += pressure[nose - i];
EndFor
For i In {1 : nose}
  around[] += suction[i];
EndFor
le = newl; Spline(le) = around[];
ss = newl; Spline(ss) = suction[{nose : n}];
ps = newl; Spline(ps) = pressure[{nose : n}];
te1 = newl; Circle(te1) = {suction[n], O, tip};
te2 = newl; Circle(te2) = {tip, O, pressure[n]};
outer = newll; Curve Loop(outer) = {le, ss, te1, te2, -ps};

// Cooling holes along the camber line: centre at s, radius, half length of the straight part (0: round)
at[]     = {0.079, 0.217, 0.413, 0.592, 0.730, 0.830};
radius[] = {1.90,  2.70,  2.85,  2.10,  1.40,  0.80};
half[]   = {0,     1.90,  1.95,  2.05,  1.40,  1.60};
loops[] = {}; all_holes[] = {};
For k In {0 : #at[] - 1}
  s = at[k]; Call Camber;
  a = half[k]; q = radius[k];
  f = newp; Point(f) = {xc + a * tx, yc + a * ty, 0};               // centre of the front end
  b = newp; Point(b) = {xc - a * tx, yc - a * ty, 0};               // and of the back end
  p1 = newp; Point(p1) = {xc + a * tx + q * nx, yc + a * ty + q * ny, 0};
  p2 = newp; Point(p2) = {xc + a * tx - q * nx, yc + a * ty - q * ny, 0};
  p3 = newp; Point(p3) = {xc + (a + q) * tx, yc + (a + q) * ty, 0};
  p6 = newp; Point(p6) = {xc - (a + q) * tx, yc - (a + q) * ty, 0};
  c1 = newl; Circle(c1) = {p1, f, p3};
  c2 = newl; Circle(c2) = {p3, f, p2};
  If (a > 0)
    p4 = newp; Point(p4) = {xc - a * tx + q * nx, yc - a * ty + q * ny, 0};
    p5 = newp; Point(p5) = {xc - a * tx - q * nx, yc - a * ty - q * ny, 0};
    c3 = newl; Line(c3) = {p2, p5};
    c4 = newl; Circle(c4) = {p5, b, p6};
    c5 = newl; Circle(c5) = {p6, b, p4};
    c6 = newl; Line(c6) = {p4, p1};
    ring[] = {c1, c2, c3, c4, c5, c6};
  Else
    c3 = newl; Circle(c3) = {p2, f, p6};
    c4 = newl; Circle(c4) = {p6, f, p1};
    ring[] = {c1, c2, c3, c4};
  EndIf
  loop = newll; Curve Loop(loop) = {ring[]}; loops[] += loop; all_holes[] += ring[];
  Physical Curve(Sprintf("hole_%g", k + 1), 11 + k) = {ring[]};
EndFor

section = news; Plane Surface(section) = {outer, loops[]};
Physical Surface("blade", 1) = {section};
Physical Curve("suction_side", 2) = {ss};
Physical Curve("pressure_side", 3) = {ps};
Physical Curve("leading_edge", 4) = {le};
Physical Curve("trailing_edge", 5) = {te1, te2};
Physical Curve("outer", 6) = {le, ss, te1, te2, ps};
Physical Curve("holes", 7) = {all_holes[]};

// Element size: fine at the holes and the gas side, finest at the trailing edge
Field[1] = Distance; Field[1].CurvesList = {all_holes[]}; Field[1].Sampling = 60;
Field[2] = Threshold; Field[2].InField = 1;
Field[2].SizeMin = 0.21; Field[2].SizeMax = 0.55; Field[2].DistMin = 0.1; Field[2].DistMax = 2.2;
Field[3] = Distance; Field[3].CurvesList = {le, ss, ps, te1, te2}; Field[3].Sampling = 300;
Field[4] = Threshold; Field[4].InField = 3;
Field[4].SizeMin = 0.26; Field[4].SizeMax = 0.55; Field[4].DistMin = 0.1; Field[4].DistMax = 2.2;
Field[5] = Distance; Field[5].PointsList = {tip};
Field[6] = Threshold; Field[6].InField = 5;
Field[6].SizeMin = 0.16; Field[6].SizeMax = 0.55; Field[6].DistMin = 1.0; Field[6].DistMax = 6;
Field[7] = Distance; Field[7].CurvesList = {le}; Field[7].Sampling = 100;
Field[8] = Threshold; Field[8].InField = 7;
Field[8].SizeMin = 0.20; Field[8].SizeMax = 0.55; Field[8].DistMin = 0.1; Field[8].DistMax = 3;
Field[9] = Min; Field[9].FieldsList = {2, 4, 6, 8};
Background Field = 9;
Mesh.MeshSizeExtendFromBoundary = 0; Mesh.MeshSizeFromPoints = 0; Mesh.MeshSizeFromCurvature = 0;
Mesh.Algorithm = 6; Mesh.Optimize = 1; Mesh.HighOrderOptimize = 1; Mesh.MshFileVersion = 4.1;
