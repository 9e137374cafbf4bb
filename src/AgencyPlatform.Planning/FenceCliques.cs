namespace AgencyPlatform.Planning;

/// <summary>
/// Pairs of rivals put together to groups in which all are rivals of all: "at most one of these" binds harder than its pairs one by one, and is one row instead
/// of many. Every pair is in some group. Found greedily, always the same.
/// </summary>
internal static class FenceCliques
{
    /// <returns>Each group in order of need.</returns>
    public static List<int[]> Of(int needs, IEnumerable<(int First, int Second)> rivals)
    {
        var neighbours = new SortedSet<int>?[needs];
        var open = new SortedSet<(int First, int Second)>();
        foreach (var (first, second) in rivals)
        {
            if (first != second)
            {
                (neighbours[first] ??= []).Add(second);
                (neighbours[second] ??= []).Add(first);
                open.Add((Math.Min(first, second), Math.Max(first, second)));
            }
        }

        var cliques = new List<int[]>();
        while (open.Count > 0)
        {
            var (first, second) = open.Min;
            var clique = new List<int> { first, second };
            foreach (var candidate in neighbours[first]!)
            {
                if (candidate != second && clique.TrueForAll(neighbours[candidate]!.Contains))
                {
                    clique.Add(candidate);
                }
            }

            clique.Sort();
            for (var i = 0; i < clique.Count; i++)
            {
                for (var j = i + 1; j < clique.Count; j++)
                {
                    open.Remove((clique[i], clique[j]));
                }
            }

            cliques.Add([.. clique]);
        }

        return cliques;
    }
}
