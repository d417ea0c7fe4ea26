-- Deleted documents by their range in a tree of digests: an archive's list tells a document's hash alone.
CREATE INDEX "changes_gone" ON "changes" (kattegat_leaf("document_id")) WHERE "kind" = 'delete';
