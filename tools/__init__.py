"""Pure computation: arrays and values in, arrays and values out. No I/O, no clock, no language model."""
