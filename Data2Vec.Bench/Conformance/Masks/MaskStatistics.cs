namespace Data2Vec.Bench.Conformance;

/// <summary>
/// What the recordings tell about a mask generator, gathered batch by batch: masked counts of rows, probability of
/// every position, and numbers of runs by length along x (and along y for grids).
/// </summary>
/// <param name="rows">Rows of a batch.</param>
/// <param name="height">Lines of a row: 1 for sequences.</param>
/// <param name="width">Positions of a line.</param>
/// <param name="longest">Runs of this length and longer are counted together.</param>
internal sealed class MaskStatistics(int rows, int height, int width, int longest)
{
    private readonly List<int> counts = [];
    private readonly int size = height * width;
    private readonly double[] line = new double[longest];
    private readonly double[] positions = new double[height * width];
    private readonly double[] positionsOfRow = new double[height * width];

    public int Batches { get; private set; }

    public int Rows => rows;

    public int Height => height;

    public int Width => width;

    /// <summary>Masked count of each row drawn.</summary>
    public IReadOnlyList<int> Counts => counts;

    /// <summary>Probability of each position, all rows together.</summary>
    public Moments Positions { get; } = new(height * width);

    /// <summary>Probability of each position in each row of the batch.</summary>
    public Moments[] PositionsOfRow { get; } = [.. Enumerable.Range(0, rows).Select(_ => new Moments(height * width))];

    /// <summary>Number of runs a line by direction and value; entry l - 1 is of length l.</summary>
    public IReadOnlyDictionary<string, Moments> Runs { get; } =
        (height == 1 ? [""] : new[] { "horizontal_", "vertical_" })
        .SelectMany(d => new[] { d + "masked", d + "unmasked" })
        .ToDictionary(n => n, _ => new Moments(longest));

    public void Add(ReadOnlySpan<bool> mask)
    {
        Batches++;
        Array.Clear(positions);
        for (var r = 0; r < rows; r++)
        {
            var row = mask.Slice(r * size, size);
            counts.Add(row.Count(true));
            for (var i = 0; i < size; i++) positions[i] += row[i] ? 1 : 0;
            AddRow(PositionsOfRow[r], row);
        }
        for (var i = 0; i < size; i++) positions[i] /= rows;
        Positions.Add(positions);
        AddRuns(height == 1 ? "" : "horizontal_", mask, rows * height, width, width, 1);
        if (height > 1) AddRuns("vertical_", mask, rows * width, height, 1, width);
    }

    private void AddRow(Moments moments, ReadOnlySpan<bool> row)
    {
        for (var i = 0; i < size; i++) positionsOfRow[i] = row[i] ? 1 : 0;
        moments.Add(positionsOfRow);
    }

    /// <summary>Lines of one direction: neighbours along a line lie <paramref name="step"/> apart.</summary>
    private void AddRuns(string direction, ReadOnlySpan<bool> mask, int lines, int length, int lineStep, int step)
    {
        foreach (var value in new[] { true, false })
        {
            Array.Clear(line);
            for (var l = 0; l < lines; l++)
            {
                // Lines along y: the images of a batch lie size apart, their columns 1.
                var start = lineStep == 1 ? l / width * size + l % width : l * lineStep;
                var run = 0;
                for (var i = 0; i <= length; i++)
                {
                    if (i < length && mask[start + i * step] == value) run++;
                    else if (run > 0)
                    {
                        line[Math.Min(run, longest) - 1]++;
                        run = 0;
                    }
                }
            }
            for (var i = 0; i < longest; i++) line[i] /= lines;
            Runs[direction + (value ? "masked" : "unmasked")].Add(line);
        }
    }
}
