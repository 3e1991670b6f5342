-- CreateTable
CREATE TABLE "messages" (
    "id" TEXT NOT NULL,
    "conference_id" TEXT NOT NULL,
    "message_id" TEXT NOT NULL,
    "from" TEXT NOT NULL,
    "to" JSONB,
    "content_type" TEXT NOT NULL,
    "size" INTEGER NOT NULL,
    "sent_at" TIMESTAMPTZ(3) NOT NULL,
    "content" TEXT,
    "deliveries" JSONB NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "messages_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "messages_conference_id_sent_at_id_idx" ON "messages"("conference_id", "sent_at", "id");

-- CreateIndex
CREATE INDEX "messages_expires_at_idx" ON "messages"("expires_at");

-- AddForeignKey
ALTER TABLE "messages" ADD CONSTRAINT "messages_conference_id_fkey" FOREIGN KEY ("conference_id") REFERENCES "conferences"("id") ON DELETE CASCADE ON UPDATE CASCADE;

