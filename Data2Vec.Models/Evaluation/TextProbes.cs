using Data2Vec.Models.Data;
using Data2Vec.Models.Text;

namespace Data2Vec.Models.Evaluation;

/// <summary>How many examples the probes use.</summary>
public sealed record TextProbeOptions
{
    /// <summary>Masked-word examples to fit on.</summary>
    public int MaskedTraining { get; init; } = 8000;

    /// <summary>Masked-word examples to test on.</summary>
    public int MaskedTest { get; init; } = 3000;

    /// <summary>Bigram-shift documents to fit on; those left unchanged serve the classes too.</summary>
    public int ShiftTraining { get; init; } = 12_000;

    /// <summary>Bigram-shift documents to test on; those left unchanged serve the classes too.</summary>
    public int ShiftTest { get; init; } = 6000;

    /// <summary>Seed of the choice of documents, positions and swaps; not that of training.</summary>
    public int Seed { get; init; } = 1;
}

/// <summary>
/// Three linear probes of frozen features, fitted on training documents and tested on held-out ones:
/// which of the 50 commonest words is masked; were two neighbouring words swapped; of which class is the document (the
/// kind of member that it describes, or the file that it stands in).
/// </summary>
/// <remarks>
/// The examples are drawn once, so that every encoder is asked the same. Bigram shift is the task of SentEval
/// (Conneau et al., 2018); only whole words swap, so that no token occurs that would not occur otherwise.
/// </remarks>
public sealed class TextProbes : IProbes<ITextFeatures>
{
    private const int CommonWords = 50;
    private const int FewestExamples = 100;

    // A class with a handful of examples teaches a probe nothing, and thousands of files are no classes.
    private const int FewestOfClass = 10;
    private const int MostClasses = 100;

    private readonly int vocabularySize;
    private readonly ProbeList<Source> probes = new(FewestExamples, FewestExamples);
    private readonly MaskedSet maskedTraining;
    private readonly MaskedSet maskedTest;
    private readonly ShiftSet shiftTraining;
    private readonly ShiftSet shiftTest;

    /// <summary>Draws the examples.</summary>
    /// <param name="corpus">The corpus in tokens.</param>
    /// <param name="tokenizer">The tokenizer it was cut with.</param>
    /// <param name="options">Numbers of examples and the seed.</param>
    public TextProbes(TokenizedCorpus corpus, ByteLevelBpe tokenizer, TextProbeOptions? options = null)
    {
        options ??= new TextProbeOptions();
        vocabularySize = tokenizer.Count;
        var words = new WholeWords(tokenizer);
        var random = new Random(options.Seed);
        var classes = Commonest(corpus, words);
        maskedTraining = MaskedSet.Draw(
            corpus.Training, words, classes, tokenizer.MaskId, options.MaskedTraining, random);
        maskedTest = MaskedSet.Draw(corpus.HeldOut, words, classes, tokenizer.MaskId, options.MaskedTest, random);
        shiftTraining = ShiftSet.Draw(corpus.Training, words, options.ShiftTraining, random);
        shiftTest = ShiftSet.Draw(corpus.HeldOut, words, options.ShiftTest, random);
        AddMaskedWord(classes.Count);
        AddBigramShift();
        AddClass(corpus.ClassName);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => probes.Names;

    /// <inheritdoc/>
    public IReadOnlyList<string> LeftOut => probes.LeftOut;

    /// <inheritdoc/>
    public IReadOnlyList<ProbeBaseline> Baselines => probes.Baselines;

    /// <inheritdoc/>
    public IReadOnlyList<double> Accuracies(ITextFeatures features) => probes.Accuracies(new Source(this, features));

    /// <inheritdoc/>
    public IReadOnlyList<ProbeResult> Results(IReadOnlyList<double> random, IReadOnlyList<double> pretrained) =>
        probes.Results(random, pretrained);

    private void AddMaskedWord(int classes) => Add(
        "masked word", new(maskedTraining.Labels, maskedTest.Labels, classes), 1, "the two neighbours",
        () => SparseFeatures.Pair(maskedTraining.Neighbours(vocabularySize), maskedTest.Neighbours(vocabularySize)),
        s => s.Masked());

    private void AddBigramShift() => Add(
        "bigram shift", new(shiftTraining.Labels, shiftTest.Labels, 2), 0.1, "bag of words",
        () => SparseFeatures.Pair(Bags(shiftTraining.Sequences), Bags(shiftTest.Sequences)),
        s => s.EveryLayer());

    private void AddClass(string name)
    {
        var classes = shiftTraining.Unchanged.CountBy(u => u.Class).Where(c => c.Value >= FewestOfClass)
            .OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Take(MostClasses)
            .Select(c => c.Key).Order(StringComparer.Ordinal).ToList();
        if (classes.Count < 2)
        {
            probes.LeftOut.Add($"{name}: there are not two with {FewestOfClass} examples to fit");
            return;
        }
        var (fit, ask) = (shiftTraining.Of(classes), shiftTest.Of(classes));
        Add(name, new(fit.Labels, ask.Labels, classes.Count), 1, "bag of words",
            () => SparseFeatures.Pair(
                Bags(fit.Rows.Select(r => shiftTraining.Sequences[r])),
                Bags(ask.Rows.Select(r => shiftTest.Sequences[r]))),
            s => s.LastLayers(fit.Rows, ask.Rows));
    }

    private void Add(
        string name, ProbeLabels labels, double freedom, string simpleName,
        Func<(FeatureMatrix Training, FeatureMatrix Test)> simple,
        Func<Source, (FeatureMatrix Training, FeatureMatrix Test)> features)
    {
        double Score((FeatureMatrix Training, FeatureMatrix Test) x) => LogisticRegression
            .Fit(x.Training, labels.Training, labels.Classes, new LogisticRegressionOptions { Freedom = freedom })
            .Accuracy(x.Test, labels.Test);
        probes.Add(name, labels, s => Score(features(s)), () => [(simpleName, Score(simple()))]);
    }

    private static Dictionary<int, int> Commonest(TokenizedCorpus corpus, WholeWords words) => corpus.Training
        .SelectMany(d => words.In(d.Ids).Select(p => d.Ids[p])).CountBy(id => id)
        .OrderByDescending(c => c.Value).ThenBy(c => c.Key).Take(CommonWords)
        .Select((c, i) => (c.Key, i)).ToDictionary();

    private static (int, float)[][] Bags(IEnumerable<int[]> sequences) =>
        [.. sequences.Select(ids => ids.CountBy(id => id).Select(c => (c.Key, (float)c.Value)).ToArray())];

    /// <summary>The features of one encoder; pooled ones are computed once for two probes.</summary>
    private sealed class Source(TextProbes probes, ITextFeatures features)
    {
        private readonly Lazy<(float[] Training, float[] Test)> pooled = new(() =>
            (features.MeanPooled(probes.shiftTraining.Sequences), features.MeanPooled(probes.shiftTest.Sequences)));

        public (FeatureMatrix Training, FeatureMatrix Test) Masked() => Pair(
            features.AtPositions(probes.maskedTraining.Sequences, probes.maskedTraining.Positions),
            features.AtPositions(probes.maskedTest.Sequences, probes.maskedTest.Positions), features.Width);

        public (FeatureMatrix Training, FeatureMatrix Test) EveryLayer() =>
            Pair(pooled.Value.Training, pooled.Value.Test, features.Layers * features.Width);

        public (FeatureMatrix Training, FeatureMatrix Test) LastLayers(int[] fit, int[] ask) => Pair(
            LastTwo(pooled.Value.Training, fit), LastTwo(pooled.Value.Test, ask), features.Width);

        private float[] LastTwo(float[] all, int[] rows)
        {
            var (width, layers) = (features.Width, features.Layers);
            var result = new float[rows.Length * width];
            for (var r = 0; r < rows.Length; r++)
            {
                var last = (rows[r] * layers + layers - 1) * width;
                for (var j = 0; j < width; j++) result[r * width + j] = (all[last + j] + all[last - width + j]) / 2;
            }
            return result;
        }

        private static (FeatureMatrix, FeatureMatrix) Pair(float[] training, float[] test, int columns)
        {
            var fitted = DenseFeatures.Standardised(training, columns);
            return (fitted, fitted.Alike(test));
        }
    }
}
