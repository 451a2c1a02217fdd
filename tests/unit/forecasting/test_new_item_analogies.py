from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import shared_data

from tools.domain.arrays import FloatArray
from tools.forecasting.combining.analogy import (
    LEAST_LAUNCHES,
    Siblings,
    choose_siblings,
    gather,
    learn_level,
    new_item_paths,
    posterior_levels,
)

SHAPE = (400, 6)
LEVELS = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])


def established(levels: FloatArray, *, periods: int = 40, seed: int = 1) -> Siblings:
    """Siblings on record from the first period, Poisson around their levels."""
    rng = np.random.default_rng(seed)
    paths = tuple(rng.poisson(level, SHAPE).astype(float) for level in levels)
    histories = tuple(rng.poisson(level, periods).astype(float) for level in levels)
    return gather("family TEA", paths, histories, periods)


def launched(*, ramp: float, count: int = 12) -> Siblings:
    """Siblings launched within the record, whose first three periods sold `ramp` times what they sold later."""
    rng = np.random.default_rng(4)
    levels = rng.lognormal(4.0, 0.4, count)
    shape = np.where(np.arange(20) < 3, ramp, 1.0)
    histories = tuple(rng.poisson(level * shape).astype(float) for level in levels)
    paths = tuple(rng.poisson(level, SHAPE).astype(float) for level in levels)
    return gather("family TEA", paths, histories, 60)


def make(own: FloatArray, siblings: Siblings, seed: int = 3) -> FloatArray:
    return new_item_paths(own, siblings, SHAPE, np.random.default_rng(seed)).paths


def test_without_own_demand_the_family_says_what_to_expect() -> None:
    siblings = established(np.array([60.0, 80, 100, 125, 160]))
    made = new_item_paths(np.empty(0), siblings, SHAPE, np.random.default_rng(3))
    assert np.median(made.paths.mean(axis=1)) == pytest.approx(100, rel=0.2)
    assert made.note == ("by analogy with 5 items of family TEA (their present levels), without own demand yet")


def test_a_new_item_is_less_certain_than_a_sibling_and_more_so_with_each_own_period() -> None:
    siblings = established(np.array([20.0, 40, 80, 160, 320]))
    widths = [float(np.ptp(np.quantile(make(np.full(n, 80.0), siblings).sum(axis=1), [0.1, 0.9]))) for n in range(5)]
    sibling = float(np.ptp(np.quantile(siblings.paths[2].sum(axis=1), [0.1, 0.9])))
    assert all(later < earlier for earlier, later in zip(widths, widths[1:], strict=False))
    assert widths[-1] > sibling


def test_own_periods_move_the_level_between_the_family_and_themselves() -> None:
    siblings = established(np.full(8, 100.0))
    means = [float(make(np.full(n, 300.0), siblings).mean()) for n in (0, 1, 4)]
    assert 90 < means[0] < means[1] < means[2] < 310


def test_the_uncertainty_of_the_level_is_shared_by_all_periods_of_a_path() -> None:
    paths = make(np.empty(0), established(np.array([20.0, 40, 80, 160, 320])))
    assert np.corrcoef(paths[:, 0], paths[:, -1])[0, 1] > 0.5


def test_siblings_lend_their_season() -> None:
    season = np.array([2.0, 2, 2, 0.5, 0.5, 0.5])
    rng = np.random.default_rng(5)
    paths = tuple(rng.poisson(100 * season, SHAPE).astype(float) for _ in range(6))
    siblings = gather("family TEA", paths, tuple(rng.poisson(100, 40).astype(float) for _ in range(6)), 40)
    mean = make(np.array([50.0, 60.0]), siblings).mean(axis=0)
    assert mean / mean.mean() == pytest.approx(season / season.mean(), rel=0.15)


def test_a_slow_item_gets_the_zeros_of_slow_siblings() -> None:
    siblings = established(np.array([0.3, 0.4, 0.5, 0.6, 200, 220, 240, 260.0]))
    paths = make(np.array([0.0, 1, 0, 1, 0]), siblings)
    assert (paths == 0).mean() > 0.4


def test_launches_on_record_say_what_first_periods_are_worth() -> None:
    siblings = launched(ramp=0.5)
    prior = learn_level(siblings, 3, 6)
    assert prior.launches
    assert prior.ramp == pytest.approx(0.5, rel=0.1)
    own = np.array([20.0, 20, 20])
    assert float(make(own, siblings).mean()) > 1.3 * float(make(own, launched(ramp=1.0)).mean())


def test_too_few_launches_or_histories_from_the_first_record_are_no_analogy() -> None:
    assert not learn_level(launched(ramp=0.5, count=LEAST_LAUNCHES - 1), 3, 6).launches
    assert not learn_level(established(np.full(10, 50.0)), 3, 6).launches


def test_a_thin_family_gives_way_to_the_catalogue() -> None:
    thin, whole = established(np.array([5.0, 6, 0])), established(np.full(9, 50.0))
    assert choose_siblings(thin, whole) is whole
    assert choose_siblings(established(np.full(4, 5.0)), whole).paths[0].mean() < 10


def test_unknown_own_periods_and_histories_say_nothing() -> None:
    siblings = established(np.array([20.0, 40, 80, 160, 320]))
    plain = make(np.array([50.0, 70.0]), siblings)
    histories = [np.where(np.arange(40) % 7 == 3, np.nan, history) for history in siblings.histories]
    holes = gather(siblings.name, siblings.paths, histories, 40)
    paths = make(np.array([50.0, np.nan, 70.0, np.nan]), holes)
    assert np.isfinite(paths).all()
    assert float(paths.mean()) == pytest.approx(float(plain.mean()), rel=0.2)


def test_no_demand_in_the_family_leaves_the_own_periods_or_nothing() -> None:
    none = gather("family TEA", (np.zeros(SHAPE),), (np.zeros(20),), 20)
    assert not make(np.empty(0), none).any()
    assert set(np.unique(make(np.array([3.0, np.nan, 9.0]), none))) == {3.0, 9.0}
    made = new_item_paths(np.empty(0), none, SHAPE, np.random.default_rng(1))
    assert made.note == "no history, and no sibling with demand to compare with"


def test_a_family_of_unlike_items_promises_no_more_than_twice_its_best() -> None:
    siblings = established(np.array([1.0, 10, 100, 1000, 10000]))
    paths = make(np.empty(0), siblings)
    assert float(paths.mean(axis=1).max()) < 2.1 * 10000


def test_the_posterior_is_that_of_the_lognormal_prior_and_the_negative_binomial_likelihood() -> None:
    prior = learn_level(established(np.array([20.0, 40, 80, 160, 320])), 2, 6)
    seen, rng = np.array([30.0, 50.0]), np.random.default_rng(9)
    drawn = np.exp(rng.normal(prior.log_mean, prior.log_sd, 400_000))
    drawn = drawn[drawn < prior.highest]
    gammas = rng.gamma(1 / prior.noise, prior.noise, drawn.size) * seen.size * prior.ramp * drawn
    likelihood = np.exp(seen.sum() * np.log(gammas) - gammas - (seen.sum() * np.log(80) - 80))
    exact = float((drawn * likelihood).sum() / likelihood.sum())
    assert float(posterior_levels(prior, seen, 2000).mean()) == pytest.approx(exact, rel=0.03)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.just(0.0), st.floats(0, 1e9), st.just(np.nan)), max_size=6),
    st.lists(st.floats(0, 1e8), min_size=0, max_size=8),
    st.integers(0, 5),
)
def test_whatever_is_on_record_paths_are_finite_not_negative_and_reproducible(
    own: list[float], levels: list[float], window: int
) -> None:
    rng = np.random.default_rng(len(levels))
    paths = tuple(level * rng.random(SHAPE) for level in levels)
    histories = tuple(np.append(level * rng.random(place), np.nan) for place, level in enumerate(levels))
    siblings = gather("the catalogue", paths, histories, window)
    made = make(np.array(own), siblings)
    assert made.shape == SHAPE
    assert np.isfinite(made).all() and (made >= 0).all()
    assert (make(np.array(own), siblings) == made).all()


def pinball(actual: FloatArray, paths: FloatArray) -> float:
    errors = actual - np.quantile(paths, LEVELS, axis=0)
    return float(np.maximum(LEVELS[:, None] * errors, (LEVELS[:, None] - 1) * errors).mean())


def test_on_a_real_distribution_centre_items_taken_for_new_are_forecast_better_by_analogy() -> None:
    demand: dict[str, list[float]] = defaultdict(list)
    for line in (shared_data("demo_rdc") / "demand.csv").read_text().splitlines()[1:]:
        item_id, _, _, quantity, _ = line.split(",")
        demand[item_id].append(float(quantity))
    series = {item_id: np.array(values) for item_id, values in demand.items()}
    rng, analogy, resampled, pooled = np.random.default_rng(8), 0.0, 0.0, 0.0
    for cut in range(24, 67, 6):
        lent = {item_id: rng.choice(values[cut - 12 : cut], SHAPE) for item_id, values in series.items()}
        for item_id, values in series.items():
            others = [other for other in series if other != item_id]
            siblings = gather(
                "the catalogue", tuple(lent[o] for o in others), tuple(series[o][:cut] for o in others), cut
            )
            own, actual = values[cut - 2 : cut], values[cut : cut + SHAPE[1]]
            analogy += pinball(actual, make(own, siblings))
            resampled += pinball(actual, rng.choice(own, SHAPE))
            pooled += pinball(actual, np.concatenate(siblings.paths))
    assert analogy < 0.8 * resampled
    assert analogy < 0.8 * pooled
