# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /app
RUN pip install --no-cache-dir uv && uv venv /app/.venv
ENV VIRTUAL_ENV=/app/.venv
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN uv pip sync --require-hashes requirements.lock
COPY clarion ./clarion
RUN uv pip install --no-build-isolation --no-deps .

FROM python:3.13-slim
RUN useradd --system --create-home clarion
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1
USER clarion
WORKDIR /home/clarion
EXPOSE 8080
ENTRYPOINT ["clarion"]
CMD ["--help"]
