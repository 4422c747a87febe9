using System.Text.Json;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Gives recorded draws back, in order. What is asked for must be what was asked for in the recording: the bounds, the
/// range or pool and the count.
/// </summary>
internal sealed class ReplayedDraws : IDraws
{
    private abstract record Draw;

    private sealed record Number(double Low, double High, double Value) : Draw;

    private sealed record Integer(int Bound, int Value) : Draw;

    private sealed record Choice(int[] Pool, int[] Chosen) : Draw;

    /// <summary>Bounds are logarithms that the other language's library rounded.</summary>
    private const double BoundError = 1e-12;

    private readonly List<Draw> draws = [];
    private int next;

    private ReplayedDraws()
    {
    }

    /// <summary>A recording of generators that draw uniforms and choices.</summary>
    public static ReplayedDraws OfList(JsonElement list)
    {
        var replayed = new ReplayedDraws();
        foreach (var draw in list.EnumerateArray()) replayed.Add(draw);
        return replayed;
    }

    /// <summary>
    /// A recording of block attempts: area, logarithm of the aspect, and the place where one was drawn.
    /// </summary>
    public static ReplayedDraws OfRounds(JsonElement rounds)
    {
        var replayed = new ReplayedDraws();
        foreach (var attempt in rounds.EnumerateArray().SelectMany(r => r.GetProperty("attempts").EnumerateArray()))
        {
            double Double(string name) => attempt.GetProperty(name).GetDouble();
            replayed.draws.Add(new Number(Double("area_low"), Double("area_high"), Double("area")));
            replayed.draws.Add(new Number(Double("log_aspect_low"), Double("log_aspect_high"), Double("log_aspect")));
            foreach (var side in new[] { "top", "left" })
            {
                if (!attempt.TryGetProperty(side, out var value)) continue;
                replayed.draws.Add(new Integer(attempt.GetProperty(side + "_max").GetInt32() + 1, value.GetInt32()));
            }
        }
        return replayed;
    }

    /// <summary>How many draws are left: 0 at the end.</summary>
    public int Left => draws.Count - next;

    public double NextDouble() => Expect<Number>("a uniform number", d => d is { Low: 0, High: 1 }).Value;

    public double NextDouble(double low, double high) => Expect<Number>($"a number between {low} and {high}",
        d => Math.Abs(d.Low - low) <= BoundError && Math.Abs(d.High - high) <= BoundError).Value;

    public int NextInt(int bound) => Expect<Integer>($"an integer below {bound}", d => d.Bound == bound).Value;

    public int[] SampleWithoutReplacement(int n, int count) =>
        SampleWithoutReplacement([.. Enumerable.Range(0, n)], count);

    public int[] SampleWithoutReplacement(ReadOnlySpan<int> pool, int count)
    {
        int[] entries = [.. pool];
        return Expect<Choice>($"{count} of {entries.Length} entries",
            d => d.Chosen.Length == count && d.Pool.AsSpan().SequenceEqual(entries)).Chosen;
    }

    private T Expect<T>(string what, Func<T, bool> matches)
        where T : Draw
    {
        var recorded = next < draws.Count ? draws[next] : null;
        next++;
        return recorded is T draw && matches(draw) ? draw : throw new InvalidDataException(
            $"draw {next}: {what} was asked for, recorded is {recorded?.ToString() ?? "none"}");
    }

    private void Add(JsonElement draw)
    {
        switch (draw.GetProperty("draw").GetString())
        {
            case "uniform":
                draws.Add(new Number(0, 1, draw.GetProperty("value").GetDouble()));
                break;
            case "uniforms":
                var numbers = draw.GetProperty("values").EnumerateArray();
                draws.AddRange(numbers.Select(v => new Number(0, 1, v.GetDouble())));
                break;
            case "centres":
                var range = draw.GetProperty("range").GetInt32();
                draws.AddRange(from row in draw.GetProperty("values").EnumerateArray()
                               from value in row.EnumerateArray()
                               select new Integer(range, value.GetInt32()));
                break;
            case "choose" when draw.GetProperty("replace").GetBoolean():
                var ids = Ints(draw.GetProperty("nonzero_weights"));
                draws.AddRange(Ints(draw.GetProperty("chosen"))
                    .Select(v => new Integer(ids[^1] - ids[0] + 1, v - ids[0])));
                break;
            case "choose":
                draws.Add(new Choice(Pool(draw.GetProperty("from")), Ints(draw.GetProperty("chosen"))));
                break;
            case "choose without replacement":
                var pool = MaskText.Positions(draw.GetProperty("from_mask").GetString()!);
                draws.Add(new Choice(pool, Ints(draw.GetProperty("chosen"))));
                break;
            case var other:
                throw new NotExpressibleException($"a draw of the kind {other} is not expressed");
        }
    }

    private static int[] Pool(JsonElement from) => from.ValueKind == JsonValueKind.Array
        ? Ints(from)
        : [.. Enumerable.Range(0, from.GetProperty("range").GetInt32())];

    private static int[] Ints(JsonElement list) => [.. list.EnumerateArray().Select(v => v.GetInt32())];
}
