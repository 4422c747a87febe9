using System.Globalization;
using System.Text;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Models.Evaluation;

/// <summary>
/// Features of files in the order of the files: rows of one .npy, and beside it a .tsv that says which rows are whose
/// (first row, number of rows, path).
/// </summary>
internal sealed class FeatureFile(int width)
{
    private readonly List<float> values = [];
    private readonly StringBuilder index = new("first\trows\tfile\n");

    /// <summary>Rows so far.</summary>
    public int Rows { get; private set; }

    /// <summary>Adds the rows of one file, or their mean.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rows">[n, width].</param>
    /// <param name="mean">Add one row, the mean.</param>
    public void Add(string path, ReadOnlySpan<float> rows, bool mean)
    {
        var count = mean ? 1 : rows.Length / width;
        var name = path.ReplaceLineEndings(" ").Replace('\t', ' ');
        index.Append(CultureInfo.InvariantCulture, $"{Rows}\t{count}\t{name}\n");
        if (mean) values.AddRange(Mean(rows));
        else values.AddRange(rows);
        Rows += count;
    }

    /// <summary>Writes both files and says what was written.</summary>
    public string Save(string output, string what)
    {
        Npy.Save(output, new Shape(Rows, width), values.ToArray());
        var names = Path.ChangeExtension(output, ".tsv");
        File.WriteAllText(names, index.ToString());
        return $"{what} -> {output}: float32 ({Rows}, {width}); {names} says whose each row is";
    }

    /// <summary>Summed in double, so that a long file loses nothing.</summary>
    private float[] Mean(ReadOnlySpan<float> rows)
    {
        var sums = new double[width];
        for (var i = 0; i < rows.Length; i++) sums[i % width] += rows[i];
        var count = rows.Length / width;
        return Array.ConvertAll(sums, s => (float)(s / count));
    }
}
