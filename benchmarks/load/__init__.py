"""What the load benchmarks share: patients over real sockets, servers of their own, and what is measured of them."""
