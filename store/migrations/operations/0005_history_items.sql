ALTER TABLE order_history ADD COLUMN items TEXT;
