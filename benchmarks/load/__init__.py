"""What the load benchmarks share: patients over real sockets, servers, and measurements."""
