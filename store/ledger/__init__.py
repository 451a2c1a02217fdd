"""The ledger of orders: approvals, rulings, orders with their history, and the outbox to the ERP."""
