"""From receipts and open orders to observations: terms, outliers, and what is still awaited."""
