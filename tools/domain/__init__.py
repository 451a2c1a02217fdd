"""The typed vocabulary: items, suppliers, offers, orders, alerts, snapshots, money and errors."""
