"""What Clarion says of itself: topics, JSON Schemas, AsyncAPI and OpenAPI, as pages, documents and commands."""
