"""What happens when something goes wrong: to the target, to iotrace, around both."""
