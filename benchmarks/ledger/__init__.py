"""A simulation of the ledger of orders: drawn plans, real databases, real outbox, real sandbox ERP, drawn schedules."""
