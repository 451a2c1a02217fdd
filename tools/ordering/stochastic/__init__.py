"""What an order now leads to: sample paths played forward with policies that go on ordering."""
