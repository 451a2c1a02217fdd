"""ERP systems behind one Protocol, the sandbox ERP, and the outbox, the only writer."""
