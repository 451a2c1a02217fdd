"""Generated and real worlds, the closed-loop simulator, baselines and scorers."""
