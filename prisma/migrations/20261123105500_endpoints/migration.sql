-- CreateTable: each endpoint a row of its own, so that one that is gone is not written again whenever its participant is.
-- The room left in each page is for the one change that most rows see, when their endpoint leaves.
CREATE TABLE "endpoints" (
    "participant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "facts" JSONB NOT NULL,
    "origin" JSONB,

    CONSTRAINT "endpoints_pkey" PRIMARY KEY ("participant_id", "id")
) WITH (fillfactor = 60);

-- What is there already.
INSERT INTO "endpoints" ("participant_id", "id", "facts", "origin")
SELECT p."id", endpoint->>'id', endpoint - 'origin', endpoint->'origin'
FROM "participants" AS p, jsonb_array_elements(p."endpoints") AS endpoint
ON CONFLICT DO NOTHING;

-- A participant's row keeps their ids, in their order.
UPDATE "participants" SET "endpoints" = (
  SELECT coalesce(jsonb_agg(endpoint->'id' ORDER BY place), '[]'::jsonb)
  FROM jsonb_array_elements("endpoints") WITH ORDINALITY AS each(endpoint, place))
WHERE "endpoints" <> '[]'::jsonb;

-- AddForeignKey
ALTER TABLE "endpoints" ADD CONSTRAINT "endpoints_participant_id_fkey" FOREIGN KEY ("participant_id") REFERENCES "participants"("id") ON DELETE CASCADE ON UPDATE CASCADE;
