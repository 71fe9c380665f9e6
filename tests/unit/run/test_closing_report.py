"""What a run prints at its end."""

from plexus.run import report

ENTRIES = {
    "time": 2.0,
    "steps": 1,
    "rejected_steps": 2,
    "solver": {"temperature": {"solves": 1, "total": 36, "mean": 36, "max": 36, "newton": 3, "fallbacks": 0}},
    "quantities": {"peak_von_mises": 3.6963584e8, "ratio": 0.5},
    "units": {"peak_von_mises": "Pa", "ratio": ""},
    "verification": [
        {
            "quantity": "ratio", "measured": 0.5, "reference": 0.4, "unit": "", "tolerance": 0.01,
            "kind": "relative", "holds": False, "source": "hand",
        }
    ],
}  # fmt: skip


def test_closing_tables_are_aligned_and_have_units():
    assert report.closing(ENTRIES, marches=True).strip("\n").splitlines() == [
        "1 step to t = 2 s, 2 more were repeated",
        "temperature: 1 solve, 3 Newton steps, 36 Krylov iterations",
        "",
        "quantity at t = 2 s         value  unit",
        "peak_von_mises       3.696358e+08  Pa",
        "ratio                         0.5",
        "",
        "verification  measured  reference  unit  difference  tolerance  holds",
        "ratio              0.5        0.4              25 %        1 %  NO",
    ]


def test_what_a_reduced_model_leaves_out_of_balance_is_told():
    told = {"modes": 20, "points": 189, "imbalance": 0.00479, "limit": 0.05}
    text = report.closing(ENTRIES | {"reduced": told})
    assert "20 modes, 189 points; at most 0.0048 of the forces out of balance (limit 0.05)" in text
    text = report.closing(ENTRIES | {"reduced": told | {"enriched": [0.5, 0.75]}})
    assert "189 points, completed by 2 full steps; at most" in text
    few = {"u": ENTRIES["solver"]["temperature"] | {"total": 0}}
    assert "u: 1 solve, 3 Newton steps\n" in report.closing(ENTRIES | {"solver": few})
    assert "reduced model" not in report.closing(ENTRIES | {"reduced": {"modes": 20}})


def test_a_deck_without_output_is_told_that_no_fields_are_written(make_run):
    text = "plexus: 1\nmesh: {type: box, cell: quadrilateral, cells: [1, 1]}\n"
    text += "physics: {type: diffusion, coefficient: 1}\n"
    assert "no fields are written" in report.opening(make_run(text))
    assert "1 quadrilateral cell ·" in report.opening(make_run(text))
    assert "no fields" not in report.opening(make_run(text + "output: [{type: fields}]\n"))
