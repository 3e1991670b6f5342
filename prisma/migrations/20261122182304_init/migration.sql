-- CreateTable
CREATE TABLE "nodes" (
    "id" TEXT NOT NULL,
    "instance" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "heartbeat_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "nodes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "conferences" (
    "id" TEXT NOT NULL,
    "node" TEXT NOT NULL,
    "uri" TEXT NOT NULL,
    "factory_uri" TEXT,
    "kind" TEXT NOT NULL,
    "group_id" TEXT,
    "status" TEXT NOT NULL,
    "subject" TEXT,
    "locked" BOOLEAN NOT NULL,
    "max_participants" INTEGER,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "activated_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "end_reason" TEXT,
    "ended_by" TEXT,
    "participant_count" INTEGER NOT NULL,
    "peak_participants" INTEGER NOT NULL,
    "message_count" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "seq" INTEGER NOT NULL,
    "labels" JSONB NOT NULL,

    CONSTRAINT "conferences_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "participants" (
    "id" TEXT NOT NULL,
    "conference_id" TEXT NOT NULL,
    "uri" TEXT NOT NULL,
    "display_name" TEXT,
    "nickname" TEXT,
    "private" BOOLEAN NOT NULL,
    "role" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "joining_method" TEXT NOT NULL,
    "referred_by" TEXT,
    "replaces" JSONB,
    "muted" BOOLEAN NOT NULL,
    "joined_at" TIMESTAMPTZ(3),
    "left_at" TIMESTAMPTZ(3),
    "disconnection" JSONB,
    "endpoints" JSONB NOT NULL,
    "list_entry" JSONB,
    "attempts" JSONB NOT NULL,
    "last_error" JSONB,
    "position" INTEGER NOT NULL,
    "in_roster" BOOLEAN NOT NULL,

    CONSTRAINT "participants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "subscriptions" (
    "id" TEXT NOT NULL,
    "conference_id" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "subscriber" TEXT NOT NULL,
    "event" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "last_version_sent" INTEGER NOT NULL,
    "role" TEXT NOT NULL,
    "dialog_id" TEXT NOT NULL,
    "terminated_reason" TEXT,

    CONSTRAINT "subscriptions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "events" (
    "id" TEXT NOT NULL,
    "conference_id" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "version" INTEGER NOT NULL,
    "actor" TEXT,
    "data" JSONB NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "attempts" (
    "id" TEXT NOT NULL,
    "node" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "method" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "caller" TEXT,
    "call_id" TEXT,
    "code" TEXT NOT NULL,
    "status" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "quirks" JSONB NOT NULL,
    "received" TEXT NOT NULL,

    CONSTRAINT "attempts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "scopes" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "conferences_created_at_id_idx" ON "conferences"("created_at", "id");

-- CreateIndex
CREATE INDEX "conferences_status_created_at_id_idx" ON "conferences"("status", "created_at", "id");

-- CreateIndex
CREATE INDEX "conferences_created_by_idx" ON "conferences" USING HASH ("created_by");

-- CreateIndex
CREATE INDEX "conferences_node_status_idx" ON "conferences"("node", "status");

-- CreateIndex
CREATE INDEX "participants_conference_id_position_id_idx" ON "participants"("conference_id", "position", "id");

-- CreateIndex
CREATE INDEX "participants_uri_idx" ON "participants" USING HASH ("uri");

-- CreateIndex
CREATE INDEX "subscriptions_conference_id_id_idx" ON "subscriptions"("conference_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "events_conference_id_seq_key" ON "events"("conference_id", "seq");

-- CreateIndex
CREATE INDEX "attempts_at_id_idx" ON "attempts"("at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_hash_key" ON "api_keys"("hash");

-- AddForeignKey
ALTER TABLE "participants" ADD CONSTRAINT "participants_conference_id_fkey" FOREIGN KEY ("conference_id") REFERENCES "conferences"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscriptions" ADD CONSTRAINT "subscriptions_conference_id_fkey" FOREIGN KEY ("conference_id") REFERENCES "conferences"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "events" ADD CONSTRAINT "events_conference_id_fkey" FOREIGN KEY ("conference_id") REFERENCES "conferences"("id") ON DELETE CASCADE ON UPDATE CASCADE;
