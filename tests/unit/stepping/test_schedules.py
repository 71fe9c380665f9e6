"""Schedules fire when they should, and tell the clock the times that it must hit."""

import pytest

from plexus.deck.schedules import parse_schedule
from plexus.deck.units import UnitError
from plexus.stepping.schedules import Moment, make


def test_every_tenth_step_and_the_last():
    s = make(parse_schedule("10 steps"))
    due = [n for n in range(26) if s.due(Moment(n, 0.0, last=n == 25))]
    assert due == [0, 10, 20, 25]
    assert s.next_time(3.0) is None


@pytest.mark.parametrize("interval", [0.1, 0.3, 1 / 7, 1e-9, 3600.0])
def test_intervals_hit_each_multiple_once(interval):
    s = make(parse_schedule(f"{interval!r} s"), start=2.0 * interval)
    t, times = 2.0 * interval, []
    for _ in range(200):
        t = s.next_time(t)
        assert s.due(Moment(1, t))
        times.append(t)
    assert times == pytest.approx([interval * (3 + k) for k in range(200)], rel=1e-12)
    assert not s.due(Moment(1, times[0] + 0.4 * interval))


def test_listed_times():
    s = make(parse_schedule([0.5, 2.0]))
    assert (s.next_time(0.0), s.next_time(0.5), s.next_time(2.0)) == (0.5, 2.0, None)
    assert s.due(Moment(1, 0.5)) and not s.due(Moment(1, 1.0)) and s.due(Moment(1, 1.0, last=True))


def test_wall_time_counts_from_the_last_action():
    s = make(parse_schedule("10 s wall"))
    assert [s.due(Moment(1, 0.0, wall=w)) for w in (5.0, 11.0, 15.0, 20.5, 21.5)] == [
        False,
        True,
        False,
        False,
        True,
    ]


def test_end_only():
    s = make(parse_schedule("end"))
    assert not s.due(Moment(0, 0.0)) and s.due(Moment(7, 1.0, last=True))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("10 stps", "did you mean '10 steps'?"),
        ("edn", "did you mean 'end'?"),
        ("3 min walk", "did you mean '3 min wall'?"),
        ("10 m", "a schedule is e.g. '10 steps'"),
    ],
)
def test_misspelt_schedules_get_a_hint(text, hint):
    with pytest.raises(UnitError) as caught:
        parse_schedule(text)
    assert hint in str(caught.value)
