"""What stands between the network and the page: headers, origins, sizes, signing in."""
