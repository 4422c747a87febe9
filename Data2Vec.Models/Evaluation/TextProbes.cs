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

    /// <summary>Bigram-shift documents to fit on; those left unchanged serve the member kind too.</summary>
    public int ShiftTraining { get; init; } = 12_000;

    /// <summary>Bigram-shift documents to test on; those left unchanged serve the member kind too.</summary>
    public int ShiftTest { get; init; } = 6000;

    /// <summary>Seed of the choice of documents, positions and swaps; not that of training.</summary>
    public int Seed { get; init; } = 1;
}

/// <summary>
/// Three linear probes of frozen features, fitted on training documents and tested on held-out ones:
/// which of the 50 commonest words is masked; were two neighbouring words swapped; what kind of member is described.
/// </summary>
/// <remarks>
/// The examples are drawn once, so that every encoder is asked the same. Bigram shift is the task of SentEval
/// (Conneau et al., 2018); only whole words swap, so that no token occurs that would not occur otherwise.
/// </remarks>
public sealed class TextProbes
{
    private const int CommonWords = 50;
    private const int FewestExamples = 100;

    private readonly int vocabularySize;
    private readonly List<Task> tasks = [];
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
        AddMemberKind();
    }

    /// <summary>Names of the probes, in the order of all results.</summary>
    public IReadOnlyList<string> Names => [.. tasks.Select(t => t.Name)];

    /// <summary>Probes that this corpus has too few examples for, each with the reason.</summary>
    public List<string> LeftOut { get; } = [];

    /// <summary>Accuracy of every probe on one encoder's features.</summary>
    /// <exception cref="ArgumentException">The features have the wrong size or are not finite.</exception>
    public IReadOnlyList<double> Accuracies(ITextFeatures features)
    {
        var source = new Source(this, features);
        return [.. tasks.Select(t => t.Accuracy(source))];
    }

    /// <summary>The results, beside the majority class and the simple baseline of every probe.</summary>
    /// <param name="random">Accuracies of the untrained encoder.</param>
    /// <param name="pretrained">Accuracies of the trained encoder.</param>
    public IReadOnlyList<ProbeResult> Results(IReadOnlyList<double> random, IReadOnlyList<double> pretrained) =>
        [.. tasks.Select((t, i) => new ProbeResult(
            t.Name, t.TestLabels.Length, t.Majority(), t.Baseline(), random[i], pretrained[i]))];

    private void AddMaskedWord(int classes) => Add(new Task(
        "masked word", maskedTraining.Labels, maskedTest.Labels, classes, 1,
        () => SparseFeatures.Pair(maskedTraining.Neighbours(vocabularySize), maskedTest.Neighbours(vocabularySize)),
        s => s.Masked()));

    private void AddBigramShift() => Add(new Task(
        "bigram shift", shiftTraining.Labels, shiftTest.Labels, 2, 0.1,
        () => SparseFeatures.Pair(Bags(shiftTraining.Sequences), Bags(shiftTest.Sequences)),
        s => s.EveryLayer()));

    private void AddMemberKind()
    {
        var kinds = shiftTraining.Unchanged.Select(u => u.Kind).Distinct().Order().ToList();
        int[] Labels(ShiftSet set) => [.. set.Unchanged.Select(u => kinds.IndexOf(u.Kind))];
        if (kinds.Count < 2 || shiftTest.Unchanged.Any(u => !kinds.Contains(u.Kind)))
            LeftOut.Add("member kind: the documents are of one kind, or held-out ones of unknown kinds");
        else Add(new Task(
            "member kind", Labels(shiftTraining), Labels(shiftTest), kinds.Count, 1,
            () => SparseFeatures.Pair(Bags(shiftTraining.UnchangedSequences()), Bags(shiftTest.UnchangedSequences())),
            s => s.LastLayersUnchanged()));
    }

    private void Add(Task task)
    {
        if (task.TestLabels.Length < FewestExamples || task.TrainingLabels.Length < FewestExamples)
            LeftOut.Add($"{task.Name}: {task.TrainingLabels.Length} examples to fit and {task.TestLabels.Length} to "
                + $"test, {FewestExamples} of each are needed");
        else tasks.Add(task);
    }

    private static Dictionary<int, int> Commonest(TokenizedCorpus corpus, WholeWords words) => corpus.Training
        .SelectMany(d => words.In(d.Ids).Select(p => d.Ids[p])).CountBy(id => id)
        .OrderByDescending(c => c.Value).ThenBy(c => c.Key).Take(CommonWords)
        .Select((c, i) => (c.Key, i)).ToDictionary();

    private static (int, float)[][] Bags(IEnumerable<int[]> sequences) =>
        [.. sequences.Select(ids => ids.CountBy(id => id).Select(c => (c.Key, (float)c.Value)).ToArray())];

    private sealed record Task(
        string Name, int[] TrainingLabels, int[] TestLabels, int Classes, double Freedom,
        Func<(FeatureMatrix Training, FeatureMatrix Test)> Simple,
        Func<Source, (FeatureMatrix Training, FeatureMatrix Test)> Features)
    {
        public double Majority()
        {
            var commonest = TrainingLabels.CountBy(l => l).OrderByDescending(c => c.Value).ThenBy(c => c.Key).First();
            return TestLabels.Count(l => l == commonest.Key) / (double)TestLabels.Length;
        }

        public double Baseline() => Score(Simple());

        public double Accuracy(Source source) => Score(Features(source));

        private double Score((FeatureMatrix Training, FeatureMatrix Test) x) => LogisticRegression
            .Fit(x.Training, TrainingLabels, Classes, new LogisticRegressionOptions { Freedom = Freedom })
            .Accuracy(x.Test, TestLabels);
    }

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

        public (FeatureMatrix Training, FeatureMatrix Test) LastLayersUnchanged() => Pair(
            LastTwo(pooled.Value.Training, probes.shiftTraining), LastTwo(pooled.Value.Test, probes.shiftTest),
            features.Width);

        private float[] LastTwo(float[] all, ShiftSet set)
        {
            var (width, layers) = (features.Width, features.Layers);
            var result = new float[set.Unchanged.Count * width];
            for (var r = 0; r < set.Unchanged.Count; r++)
            {
                var last = ((set.Unchanged[r].Row * layers) + layers - 1) * width;
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
