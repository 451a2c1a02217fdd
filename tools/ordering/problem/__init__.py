"""From a snapshot to a problem in arrays: what is checked, scaled and known before anything is priced."""
