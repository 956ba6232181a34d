"""HTTP/1.1 on asyncio and httptools: both edges and the pool. Knows nothing of payments."""
