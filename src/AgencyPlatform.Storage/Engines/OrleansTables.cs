namespace AgencyPlatform.Storage.Engines;

/// <summary>
/// What Orleans' AdoNet providers need of a PostgreSQL database: their packages bring no scripts, and read each statement at their start from
/// <c>OrleansQuery</c> by its key.
/// </summary>
internal static class OrleansTables
{
    /// <summary>Creates the tables unless they are there, and writes the statements of this program.</summary>
    /// <param name="newest">The table that was added last, in lower case: where it is, all are.</param>
    /// <param name="what">Whose tables they are, for the message.</param>
    /// <exception cref="SchemaException">They cannot be created.</exception>
    public static async Task Ensure(
        Database database, string newest, IEnumerable<string> tables, IEnumerable<(string Key, string Text)> statements, string what, CancellationToken cancellation)
    {
        try
        {
            await database.Exclusively(() => database.Write(async connection =>
            {
                // An application role may not create, not even what exists.
                if (!await database.TableExists(connection, newest, cancellation) || !await database.TableExists(connection, "orleansquery", cancellation))
                {
                    foreach (var table in tables)
                    {
                        await database.Execute(connection, table, new SqlArguments(), cancellation);
                    }
                }

                foreach (var (key, text) in statements)
                {
                    await database.Execute(
                        connection,
                        "INSERT INTO OrleansQuery (querykey, querytext) VALUES ($1, $2) ON CONFLICT (querykey) DO UPDATE SET querytext = excluded.querytext",
                        new SqlArguments(key, text),
                        cancellation);
                }
            }, lockJournal: false, cancellation), cancellation);
        }
        catch (Exception e) when (database.IsTrouble(e))
        {
            throw new SchemaException($"The tables of {what} cannot be prepared: {database.Describe(e)}");
        }
    }
}
