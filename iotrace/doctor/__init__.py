"""What this host can and cannot do, feature by feature, each one tried."""
