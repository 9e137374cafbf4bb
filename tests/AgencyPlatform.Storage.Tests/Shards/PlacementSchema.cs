namespace AgencyPlatform.Storage.Tests.Shards;

/// <summary>
/// What the tables of this release lack so that agencies can live on several databases (docs/adr/0010-several-databases.md): the owner's role runs it after
/// <c>migrate</c>. The program needs to know nothing of it: an append that it refuses is one that the database refuses for its content.
/// </summary>
internal static class PlacementSchema
{
    /// <summary>Part of what a refused append is told.</summary>
    public const string Refusal = "is not served from this database";

    /// <summary>
    /// In the home database: where each agency is, and the move that is under way. <c>place</c> is where it is served, or will be once the move is
    /// ended; a move is decided when <c>place</c> is its <c>destination</c>.
    /// </summary>
    public const string Home =
        """
        CREATE TABLE agency_places (agency text COLLATE "C" NOT NULL PRIMARY KEY, place text NOT NULL, move uuid, source text, destination text)
        """;

    /// <summary>
    /// In every database: a fence in the agency's head row, which refuses appends while it is set, and names the move that set it; and the identity of the
    /// agency's own feed, which moves with it (null: the database's). A head is put by admission or by a move, never by an append. The refusal is an
    /// integrity violation (23514): the writer takes such a batch apart, so that the neighbours of the refused item are stored.
    /// </summary>
    public const string Place =
        $"""
        ALTER TABLE heads ADD COLUMN fence uuid, ADD COLUMN epoch uuid;
        CREATE FUNCTION refuse_append() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN RAISE EXCEPTION 'agency % {Refusal}', NEW.agency USING ERRCODE = 'check_violation'; END $$;
        CREATE TRIGGER not_admitted BEFORE INSERT ON heads FOR EACH ROW WHEN (NEW.sequence > 0 AND NEW.fence IS NULL) EXECUTE FUNCTION refuse_append();
        CREATE TRIGGER fenced BEFORE UPDATE ON heads FOR EACH ROW WHEN (OLD.fence IS NOT NULL AND NEW.fence IS NOT DISTINCT FROM OLD.fence) EXECUTE FUNCTION refuse_append();
        """;
}
