using Npgsql;

namespace AgencyPlatform.Testing;

/// <summary>A database of the test's own with the roles of deploy/postgresql: connection strings of each.</summary>
public sealed record PostgresRoles(string Superuser, string Owner, string Application)
{
    // Roles are the cluster's: two tests may not make them at the same time.
    private static readonly SemaphoreSlim s_one = new(1, 1);

    /// <param name="server">Null: the process's own.</param>
    public static async Task<PostgresRoles> NewDatabase(PostgresServer? server = null)
    {
        var superuser = await (server ?? await PostgresServer.Shared).CreateDatabase();
        var roles = new PostgresRoles(superuser, As("agencyplatform_owner"), As("agencyplatform_app"));
        await roles.Set();
        return roles;

        string As(string user) => new NpgsqlConnectionStringBuilder(superuser) { Username = user }.ConnectionString;
    }

    /// <summary>Runs deploy/postgresql/roles.sql.</summary>
    public async Task Set()
    {
        await s_one.WaitAsync();
        try
        {
            await Execute(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "roles.sql")));
        }
        finally
        {
            s_one.Release();
        }
    }

    /// <summary>Runs statements as a superuser.</summary>
    public async Task<int> Execute(string sql)
    {
        await using var connection = new NpgsqlConnection(Superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>Asks for one number as a superuser.</summary>
    public async Task<long> Count(string sql)
    {
        await using var connection = new NpgsqlConnection(Superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
