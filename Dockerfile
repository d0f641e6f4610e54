# syntax=docker/dockerfile:1
# One image for every command: serve NAME, migrate, topics, ... What requirements.lock does not name by its hash stays out.
FROM python:3.13-slim AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /build
RUN uv venv /app && uv venv /tools
COPY pyproject.toml requirements.lock ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install --python /app --require-hashes --only-binary :all: \
      --constraint requirements.lock --requirement pyproject.toml --extra traces && \
    uv pip install --python /tools --require-hashes --constraint requirements.lock --group build
COPY README.md LICENSE ./
COPY clarion ./clarion
RUN uv build --python /tools --wheel --no-build-isolation --out-dir /wheel . && \
    uv pip install --python /app --no-deps /wheel/*.whl

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home clarion
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CLARION_HEALTH_PORT=8081
USER 10001
WORKDIR /home/clarion
EXPOSE 8080 8081
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=4 CMD ["clarion", "health"]
ENTRYPOINT ["clarion"]
CMD ["--help"]
