"""What comes in: imports, what the ERP did, alerts, and what people ask."""
