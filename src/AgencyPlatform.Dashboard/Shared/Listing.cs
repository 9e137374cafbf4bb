namespace AgencyPlatform.Dashboard.Shared;

/// <summary>Reads lists of the API to their end.</summary>
internal static class Listing
{
    /// <param name="page">A page after a token, and the token of the next; empty: there is none.</param>
    /// <param name="most">No more are read.</param>
    public static async Task<List<T>> All<T>(Func<string, Task<(IEnumerable<T> Items, string Next)>> page, int most = 10_000)
    {
        var (all, token) = (new List<T>(), "");
        do
        {
            var (items, next) = await page(token);
            all.AddRange(items);
            token = next;
        }
        while (token.Length > 0 && all.Count < most);

        return all;
    }
}
