"""Install iotrace as its users do, on the distributions that they have; trace a server there."""
