# docker build -t isfocus .
# docker run --network host -v isfocus:/data isfocus
# With a drachtio server and Postgres beside it: compose.yaml.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No package needs its install script, and our own `prepare` needs the sources, which come next.
RUN npm ci --ignore-scripts
COPY tsconfig.json prisma.config.ts ./
COPY prisma ./prisma
COPY src ./src
# The Prisma client, the JavaScript, and the prepared database that spares the first start some seconds.
RUN npm run build

FROM node:24-bookworm-slim AS modules
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Prisma's client names the prisma command as an optional peer: 250 MB that nothing needs at run time.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-bookworm-slim
WORKDIR /app
COPY --from=modules /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY prisma/migrations ./prisma/migrations
COPY package.json ./
RUN install -d -o node -g node /data

# REST is reachable from outside the container; it asks for a key. SIP and MSRP must be told the address that peers see
# (SIP_PUBLIC_HOST, MSRP_PUBLIC_HOST), so they stay on loopback until somebody says so.
ENV NODE_ENV=production DATA_DIR=/data HTTP_HOST=0.0.0.0
VOLUME /data
# TLS and WebSocket are off until SIP_TLS_PORT, SIP_WS_PORT or SIP_WSS_PORT is set; 5061 is the usual port of SIP over TLS.
EXPOSE 8080/tcp 5060/udp 5060/tcp 5061/tcp 2855/tcp
USER node

# The first start of the embedded database may take some seconds.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HTTP_PORT ?? 8080}/health/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

CMD ["node", "dist/main.js"]
