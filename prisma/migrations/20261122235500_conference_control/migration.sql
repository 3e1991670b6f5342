-- AlterTable: what is there already was made by the factory, under its policy.
ALTER TABLE "conferences" ADD COLUMN "policy" JSONB NOT NULL
  DEFAULT '{"end": "creator-leaves", "idleSeconds": 300, "join": "anyone", "subscribe": "participants", "invite": "participants"}';
ALTER TABLE "conferences" ALTER COLUMN "policy" DROP DEFAULT;

-- Nested values keep the shape that this version reads.
UPDATE "participants" SET
  "endpoints" = (
    SELECT coalesce(jsonb_agg(
      jsonb_build_object('sessionTimer', NULL, 'origin', jsonb_build_object(
        'by', CASE endpoint->>'joiningMethod' WHEN 'dialed-in' THEN 'invite' ELSE 'list' END,
        'received', NULL, 'quirks', '[]'::jsonb)) || endpoint ORDER BY place), '[]'::jsonb)
    FROM jsonb_array_elements("endpoints") WITH ORDINALITY AS each(endpoint, place)),
  "attempts" = (
    SELECT coalesce(jsonb_agg(
      '{"change": null, "endedAt": null, "reasonHeader": null}'::jsonb || attempt ORDER BY place), '[]'::jsonb)
    FROM jsonb_array_elements("attempts") WITH ORDINALITY AS each(attempt, place)),
  "list_entry" = CASE WHEN jsonb_typeof("list_entry") = 'object'
    THEN '{"copyControl": "bcc", "anonymize": false, "ignoredHeaders": []}'::jsonb || "list_entry"
    ELSE "list_entry" END;

-- CreateTable
CREATE TABLE "referrals" (
    "id" TEXT NOT NULL,
    "conference_id" TEXT NOT NULL,
    "by" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "state" TEXT NOT NULL,
    "targets" JSONB NOT NULL,
    "dialog_id" TEXT NOT NULL,
    "subscription" JSONB,
    "quirks" JSONB NOT NULL,
    "received" TEXT NOT NULL,

    CONSTRAINT "referrals_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "groups" (
    "id" TEXT NOT NULL,
    "uri" TEXT NOT NULL,
    "subject" TEXT,
    "members" JSONB NOT NULL,
    "policy" JSONB NOT NULL,
    "max_participants" INTEGER,
    "labels" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "revision" INTEGER NOT NULL,

    CONSTRAINT "groups_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "uri" TEXT NOT NULL,
    "display_name" TEXT,
    "secrets" JSONB,
    "barred" BOOLEAN NOT NULL,
    "may_create" BOOLEAN NOT NULL,
    "consents" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "revision" INTEGER NOT NULL,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "referrals_conference_id_id_idx" ON "referrals"("conference_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "groups_uri_key" ON "groups"("uri");

-- CreateIndex: the user part names a group at every own domain.
CREATE UNIQUE INDEX "groups_user_key" ON "groups"(split_part("uri", '@', 1));

-- CreateIndex
CREATE INDEX "groups_updated_at_idx" ON "groups"("updated_at");

-- CreateIndex
CREATE INDEX "groups_created_at_id_idx" ON "groups"("created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "users_uri_key" ON "users"("uri");

-- CreateIndex
CREATE INDEX "users_updated_at_idx" ON "users"("updated_at");

-- CreateIndex
CREATE INDEX "users_created_at_id_idx" ON "users"("created_at", "id");

-- AddForeignKey
ALTER TABLE "referrals" ADD CONSTRAINT "referrals_conference_id_fkey" FOREIGN KEY ("conference_id") REFERENCES "conferences"("id") ON DELETE CASCADE ON UPDATE CASCADE;
