"""Units through every operation: expressions, right and wrong, in the places of a deck; nothing is run."""

import pytest

from plexus.deck.load import load
from plexus.errors import DeckError

DECK = """\
plexus: 1
parameters: {{h: 25 W/(m^2 K), T_a: 20 degC, T_0: 300 K, p: 2 MPa, L: 50 mm, k_0: 45 W/(m K), rho: 7800 kg/m^3,
  g: 9.81 m/s^2, tau: 30 s, n: 3, q: 1 kW/m^2, share: 5 %, angle: 30 deg, E_0: 210 GPa, f: 50 Hz, beta: 1e-3 1/K}}
mesh: {{type: box, cell: quadrilateral, cells: [2, 2], size: [1, 0.2]}}
physics: {{type: thermoelasticity, geometry: plane_strain, source: {source}, material: {{conductivity: {conductivity},
  young_modulus: {young_modulus}, poisson_ratio: {poisson_ratio}, density: 7800, specific_heat: 500}}}}
boundary:
  - {{on: left, temperature: {temperature}, displacement: [{displacement}, 0]}}
  - {{on: right, convection: {{coefficient: {coefficient}, ambient: {ambient}}}, pressure: {pressure}}}
  - {{on: top, flux: {flux}}}
time: {{end: 100 s, step: 1 s, stepper: theta}}
quantities: {{number: {{type: mean, of: {of}}}}}
"""
PLAIN = {
    "source": 0, "conductivity": 50, "young_modulus": 2e11, "poisson_ratio": 0.3, "temperature": 300,
    "displacement": 0, "coefficient": 20, "ambient": 300, "pressure": 0, "flux": 0, "of": "temperature",
}  # fmt: skip
RIGHT = {
    "conductivity": [
        "45 W/(m K)", "45 W/(m K) + 0*x", "45 + 0.02*temperature", "45 - 0.02*(temperature - 20 degC)", "k_0", "2*k_0",
        "k_0*(1 + 0.3*x)", "k_0*(1 - x/L)", "k_0 + 0.01 W/(m K^2)*(temperature - T_0)", "k_0*(temperature/T_0)^0.5",
        "k_0*sqrt(temperature/T_0)", "k_0*exp(-(temperature - T_0)/100 K)", "where(x < L, k_0, 2*k_0)",
        "where(x < 0.05, k_0, 50)", "max(k_0, 30)", "min(k_0, 30 W/(m K) + 10*x)", "abs(k_0 - 1e4 W/K*L/1 m^2)",
        "k_0 if temperature > 100 degC else 40", "1e-3*temperature^2", "q*L/(10 K)", "h*L", "h*L + k_0",
        "k_0*beta*temperature", "45 W/(m K)*(1 + 5 %)", "k_0*(1 + share)", "45*(1 + share)", "k_0*heaviside(x - L)",
        "sqrt(k_0*k_0)", "sqrt(k_0*h*L)", "k_0^2/k_0", "k_0^n/k_0^2", "exp(x)", "1 + x^2", "k_0*2^(x/L)", "k_0*pi/e",
        "-(-k_0)", "+k_0", "45 kW/(km K)", "45 W/m/K + 0*t", "k_0*sin(angle)", "k_0*sin(2*pi*x/L)", "pi*20",
    ],
    "ambient": [
        "T_a", "20 degC + 0*x", "20 degC + 10*x", "20 degC + 10 K*ramp(t)", "20 degC + 10*ramp(t)", "300 K + 5 K/m*x",
        "T_0 + 100 K*sin(2*pi*f*t)", "(20 degC + 100 degC)/2", "0.5*(T_a + 100 degC)", "T_a + (100 degC - 20 degC)",
        "T_a + 10 K/s*t", "T_a + 100 K*t/tau", "max(T_a, 300)", "where(t < tau, T_a, 100 degC)", "T_0*(1 + 0.1*x)",
        "q/h + T_a", "T_a + q/h*(1 - exp(-t/tau))", "300 + 50*(2 - x)^0.5", "temperature - 5 K", "300", "T_0*T_0/T_0",
        "(T_0^4 + (300 K)^4)^0.25", "((20 degC)^4)^0.25", "-5 degC + 0*x", "100 degF + 0*x", "sqrt(T_0*300 K)",
        "x*y + 300", "T_a if t < 5 else T_0", "T_a - 3*x", "T_a + 3*x*ramp(t)", "T_0*x/L", "min(300, 400)",
    ],
    "coefficient": [
        "h", "h + 0*x", "h*(1 + 0.5*ramp(t/tau))", "1.4*abs(temperature - 300)^0.25", "h*abs((temperature - T_a)/1 K)^0.25",
        "1.4*abs(temperature - T_0)^0.25", "k_0/L", "k_0/L + h", "q/(10 K)",
        "1000*ramp(t/10 s)", "5.67e-8 W/(m^2 K^4)*temperature^3", "4*5.67e-8 W/(m^2 K^4)*T_0^3", "h*(x < L)", "n*h",
        "h*cos(30 deg)", "500 W/(m^2 K)*(1 - x/(2*L))", "h*exp(-t/tau)", "h/(1 + t/tau)", "0.1*h/share", "500/(1 + x)",
    ],
    "pressure": [
        "p", "rho*g*x", "0.5*rho*g*x", "rho*g*(0.2 - y)", "rho*g*(0.2 - 2*y)", "p*ramp(t)", "2 MPa*ramp(t/tau)",
        "1e5*(x + y)", "p*(x/L)^2", "p*sin(2*pi*f*t)", "p + 1 bar", "p + 1e5", "E_0*1e-6", "E_0*displacement_x/L",
        "rho*(3 m/s)^2/2", "p*(1 - share)", "1 MPa/s*t", "p*t/(10 s)", "2 N/mm^2 + 0*x", "p*(displacement_x > 1 mm)",
    ],
    "flux": ["q", "q*x/L", "h*(T_a - temperature)", "q + h*T_0", "1e3*x", "-q*ramp(t)", "k_0*T_0/L", "5 W/cm^2 - q"],
    "source": ["q/L", "1 MW/m^3*exp(-x/L)", "rho*500 J/(kg K)*1 K/s", "1e6*x", "q/x", "h*temperature/L", "1e6"],
    "displacement": ["L/100", "1 mm*ramp(t)", "1e-3*x", "0.1 %*x", "x*1e-3", "1 mm + 0*y", "share*x", "x*beta*T_0"],
    "poisson_ratio": ["0.3", "0.3 + 0*x", "share", "30 % + 0*x", "0.3*(x < L)", "0.3 - beta*1 K", "p/E_0"],
    "temperature": ["T_a + 10 K*ramp(t)", "300 + 10*t", "x*y", "300", "T_0 + 1 K/s*t"],
    "of": ["temperature - T_a", "x*displacement_x", "von_mises/p", "sqrt(displacement_x^2 + displacement_y^2)",
           "rho*500 J/(kg K)*temperature", "temperature*(x < L)", "max(temperature, 300)", "log(temperature/1 K)"],
}  # fmt: skip
WRONG = {
    "conductivity": [
        ("45 MPa", "W/(m K)"), ("45 MPa + 0*x", "Pa"), ("p", "MPa"), ("2*p", "MPa"), ("2*45 MPa", "MPa"), ("-p", "MPa"),
        ("45 MPa*(1 - 0.3*x)", "MPa"), ("k_0*x", "does not fit"), ("k_0*temperature", "does not fit"), ("T_a", "degC"),
        ("k_0 + p", "Pa"), ("k_0 + T_0", "K"), ("k_0^2", "does not fit"), ("sqrt(k_0)", "does not fit"), ("1/k_0", "fit"),
        ("where(x < L, k_0, p)", "Pa"), ("where(x < tau, k_0, k_0)", "in s"), ("max(k_0, h)", "W/(m^2 K)"),
        ("k_0 if x > 1 s else 3", "in s"), ("abs(p)", "MPa"), ("temperature", "K"), ("temperature + 10", "K"),
        ("k_0*sin(temperature)", "pure number"), ("k_0*exp(-temperature)", "pure number"), ("k_0*log(p)", "pure number"),
        ("exp(temperature/1 s)", "pure number"), ("k_0*2^x", "exponent"), ("k_0^temperature", "exponent"), ("h", "W/(m^2 K)"),
        ("45 W/mK", "did you mean 'W/(m K)'"), ("45 W/(mK) + 0*x", "W/(m K)"), ("h*L*x", "does not fit"),
        ("min(30 W/(m K), 5 MPa)", "Pa"), ("k_0*atan2(x, t)", "go together"), ("p % k_0", "go together"), ("5 % + 0*x", "fit"),
        ("2*(45 MPa + 0*x)", "MPa"), ("45 W/(m^2 K)", "W/(m K)"), ("tan(L)", "pure number"), ("k_0*floor(x/tau)", "pure"),
        ("k_0 < 3 MPa", "go together"), ("k_0 == p", "go together"), ("k_0*(temperature > 3 s)", "go together"),
    ],
    "ambient": [
        ("h", "W/(m^2 K)"), ("20 degC + 50 degC", "difference is written in K"), ("T_a + 10 degC", "difference"),
        ("20 degC + 50 degC*ramp(t)", "stretched"), ("T_a*ramp(t)", "stretched"), ("2*T_a", "difference"),
        ("temperature - T_a", "difference of two"), ("100 degC - 20 degC", "difference of two"), ("T_a + 1 m", "in m"),
        ("T_0 + 5*x + 3 s", "in s"), ("T_a + x", "in m"), ("T_a + t", "in s"), ("q", "kW/m^2"), ("T_0^2", "fit"),
        ("T_a + q", "W/m^2"), ("20 C", "did you mean 'degC'"), ("20 C + 0*x", "C"), ("max(T_a, 30 s)", "in s"),
        ("temperature + 20 degC", "difference"), ("where(t < tau, T_a, 100 degC - 20 degC)", "difference"), ("L", "mm"),
        ("T_a + 10 K*sin(t)", "pure number"), ("T_a + 10 K*exp(-x)", "pure number"), ("300 K + displacement_x", "in m"),
    ],
    "coefficient": [
        ("T_a", "'degC' does not fit: expected W/(m^2 K)"), ("k_0", "W/(m K)"), ("h*T_0", "does not fit"), ("h + k_0", "in W"),
        ("500 W/m2K", "did you mean 'W/(m^2 K)'"), ("500 W/(m2 K)", "did you mean 'W/(m^2 K)'"), ("500 W/m^2K", "W/(m^2 K)"),
        ("h*abs(temperature - T_a)^0.25", "does not fit"), ("h*t", "fit"),
        ("1.4 W/(m^2 K)*(temperature - 300 K)", "does not fit"), ("h/L", "does not fit"), ("5 N", "'N' does not fit"),
    ],
    "pressure": [
        ("rho*g", "does not fit"), ("p*x", "does not fit"), ("p*t", "does not fit"), ("20 MPA", "did you mean 'MPa'"),
        ("E_0*displacement_x", "does not fit"), ("rho*x", "does not fit"), ("p + rho", "kg/m^3"), ("T_0", "K"), ("1 kN", "kN"),
        ("p*ramp(temperature)", "pure number"), ("p/L", "does not fit"), ("-T_a", "degC"), ("2 N/mm2", "N/mm^2"),
    ],
    "flux": [("10 W", "'W' does not fit: expected W/m^2"), ("h*T_0/L", "fit"), ("q*L", "fit"), ("10 K", "fit"), ("p", "fit")],
    "source": [("q", "W/m^3"), ("5 W", "W/m^3"), ("q*L", "does not fit"), ("rho", "kg/m^3"), ("5 kg/m3", "did you mean 'kg/m^3'")],
    "displacement": [("1 s", "fit"), ("tau", "fit"), ("L/tau", "fit"), ("1 mm + 1 s", "in s"), ("p", "MPa"), ("x*L", "fit")],
    "poisson_ratio": [("0.3 m", "a pure number"), ("L", "pure number"), ("p", "pure number"), ("0.3 + L", "fit")],
    "young_modulus": [("k_0", "W/(m K)"), ("210 GPA", "did you mean 'GPa'"), ("rho*g", "N/m^3"), ("E_0*x", "fit")],
    "temperature": [("p", "MPa"), ("T_a + 1 MPa*t", "go together"), ("20 Celsius", "degC"), ("T_a - 5 degC", "two temp")],
    "of": [("temperature + displacement_x", "go together"), ("temperature < von_mises", "go together"),
           ("sin(temperature)", "pure number"), ("temperature + 3 s", "in s"), ("max(temperature, p)", "Pa")],
}  # fmt: skip


def check(folder, **given):
    """Read the deck with some values replaced."""
    path = folder / "deck.yaml"
    path.write_text(
        DECK.format(**{k: f'"{v}"' if isinstance(v, str) else v for k, v in (PLAIN | given).items()})
    )
    return load(path)


def test_there_are_enough():
    assert sum(map(len, RIGHT.values())) + sum(map(len, WRONG.values())) >= 200


@pytest.mark.parametrize("slot", RIGHT)
def test_right(slot, tmp_path):
    refused = []
    for text in RIGHT[slot]:
        try:
            check(tmp_path, **{slot: text})
        except DeckError as error:
            refused.append(str(error))
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize("slot", WRONG)
def test_wrong(slot, tmp_path):
    taken = []
    for text, phrase in WRONG[slot]:
        try:
            check(tmp_path, **{slot: text})
        except DeckError as error:
            lines = str(error).splitlines()
            if len(lines) == 1 and phrase in lines[0] and "deck.yaml:" in lines[0]:
                continue
            taken.append(f"{text}: {phrase} is missing in {error}")
        else:
            taken.append(f"{text}: taken")
    assert not taken, "\n".join(taken)


def test_the_place_is_inside_the_text(tmp_path):
    with pytest.raises(DeckError) as caught:
        check(tmp_path, conductivity="k_0 + p")
    line = next(
        i for i, text in enumerate((tmp_path / "deck.yaml").read_text().splitlines(), 1) if "k_0 + p" in text
    )
    column = (tmp_path / "deck.yaml").read_text().splitlines()[line - 1].index("k_0 + p") + 1 + 6
    assert f"deck.yaml:{line}:{column}: physics.material.conductivity:" in str(caught.value)
