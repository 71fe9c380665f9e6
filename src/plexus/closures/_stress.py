"""Closures in the authors' form: S:T from an isotropic tensor basis, T = E + 2 ζ D.

    S:T = (a_0 + 2 ζ b_0) I + (a_1 + 2 ζ b_1) D + a_2 E

Five coefficients are functions of the invariants D:D, E:E, D:E. In the plane, with the spin component of a
symmetric tensor A_11 - A_22 - 2i A_12 (f_1 for D, 2e for E, 2g = 2e + 2 ζ f_1 for T):

    st    = (a_1 + 2 ζ b_1) f_1 + 2 a_2 e           spin component of S:T
    trace = 2 (a_0 + 2 ζ b_0) + (a_1 + 2 ζ b_1) c   exactly D:T = Re(f_1 e*) + ζ (c² + |f_1|²)
    st    = ζ c f_1 + (g c + g* f_2)/2              for a given f_2

The last line carries the disk of possible f_2 over to st, and classical closures of f_2 into this form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from plexus.closures._learned import Learned, LearnedParams
from plexus.closures.base import Fields, scaled
from plexus.learned.ports import Properties
from plexus.models.suspension import toeplitz
from plexus.models.suspension.ports import CONCENTRATION, STRAIN, STRESS, ZETA, moment
from plexus.models.suspension.stress import closed_spin, closed_stress, exact_trace

if TYPE_CHECKING:
    import torch

INVARIANTS = {"DD": "1/m^4", "EE": "1/s^2", "DE": "1/(m^2 s)"}
"""Invariants and their units."""


class StressParams(LearnedParams):
    """Parameters of closures of S:T."""


class StressClosure(Learned):
    """Base of networks that give the five coefficients."""

    closes = "st"
    locality = "pointwise"
    scale_units: ClassVar = {
        f"{name}_{what}": unit for name, unit in INVARIANTS.items() for what in ("mean", "std")
    }

    def __init__(self, params: Any):
        super().__init__(params)
        self.scales |= {f"{name}_mean": 0.0 for name in INVARIANTS}

    @property
    def properties(self) -> Properties:
        """Return the inputs c, f_1, e, ζ and the outputs st and trace."""
        return Properties("stress", self.locality, (CONCENTRATION, moment(1), STRAIN, ZETA), STRESS)

    def feature_units(self) -> dict[str, str]:
        """Return the three invariants."""
        return dict(INVARIANTS)

    def features(self, fields: Fields) -> torch.Tensor:
        """Return D:D, E:E, D:E in the network's precision."""
        import torch

        c, f1, e = fields["c"], fields["f1"], fields["e"]
        dd = (c * c + (f1 * f1.conj()).real) / 2
        ee, de = 2 * (e * e.conj()).real, (f1 * e.conj()).real
        return torch.stack(torch.broadcast_tensors(dd, ee, de)).to(self.dtype)

    def calibrate(self, inputs: Fields, targets: Fields) -> None:
        """Set means and standard deviations of the invariants from training data."""
        rows = self.features(inputs).double().flatten(1)
        for name, row in zip(INVARIANTS, rows, strict=True):
            self.scales[f"{name}_mean"] = float(row.mean())
            self.scales[f"{name}_std"] = float(row.std()) or 1.0

    def answer(self, fields: Fields) -> tuple[dict[str, Any], torch.Tensor]:
        """Return st and trace of the network's coefficients."""
        features = self.features(fields)
        shape = (-1, *[1] * (features.dim() - 1))
        mean, std = (
            features.new_tensor([self.scales[f"{name}_{what}"] for name in INVARIANTS]).view(shape)
            for what in ("mean", "std")
        )
        a0, b0, a1, b1, a2 = self.network((features - mean) / std).to(fields["c"].dtype).unbind(0)
        zeta = self.zeta(fields)
        along = a1 + 2 * zeta * b1
        st = along * fields["f1"] + 2 * a2 * fields["e"]
        return {"st": st, "trace": 2 * (a0 + 2 * zeta * b0) + along * fields["c"]}, features

    def zeta(self, fields: Fields) -> Any:
        """Return ζ, a field in mixed batches, else the setting's."""
        return fields["zeta"] if "zeta" in fields else self.setting.constants["zeta"]

    def project(self, fields: Fields, out: Fields) -> tuple[dict[str, Any], Any]:
        """Return the nearest st that a non-negative distribution has, with the exact trace."""
        c, f1, e = fields["c"], fields["f1"], fields["e"]
        zeta = self.zeta(fields)
        g = e + zeta * f1
        where = toeplitz.disk(scaled(fields, 1))
        middle = closed_spin(fields, c * where.center, zeta)
        size = (g * g.conj()).real.sqrt() / 2 * c
        st, moved = toeplitz.Disk(middle, size * where.radius.clamp_min(0), ()).pull(out["st"])
        return {"st": st, "trace": exact_trace(fields, zeta)}, moved.double().mean()

    def _as_fallback(self, fallback: Any) -> Any:
        return _Converted(fallback, self.zeta)


class _Converted:
    """A closure of f_2 that answers in the form st, trace."""

    def __init__(self, closure: Any, zeta: Any):
        self.closure, self.zeta = closure, zeta

    def evaluate(self, fields: Fields) -> dict[str, Any]:
        """Return st and trace."""
        zeta = self.zeta(fields)
        st, trace = closed_stress(fields, self.closure.evaluate(fields)["f2"], zeta)
        return {"st": st, "trace": trace}
