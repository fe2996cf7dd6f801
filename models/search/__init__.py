"""Search strategies: generators of requests for one problem, free of batching and of torch."""
