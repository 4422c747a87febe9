using Data2Vec.Models;
using Data2Vec.Models.Configuration;

// Pre-trains on files of your own: PretrainOnYourData text|vision|audio FOLDER_OR_FILE [steps]
// text: one document a line; vision: pictures; audio: WAV or FLAC.
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: PretrainOnYourData text|vision|audio FOLDER_OR_FILE [steps]");
    return 2;
}
var steps = args.Length > 2 ? int.Parse(args[2]) : 300;
var config = Presets.Of(args[0], "tiny") with { Steps = steps, WarmupSteps = Math.Min(20, steps / 2), Probes = false };
if (config is TextPretrainConfig text) config = text with { VocabularySize = 1000 };
var folder = Path.Combine(Path.GetTempPath(), $"data2vec-example-{Environment.ProcessId}");
var summary = Pretrainer.Run(config, new PretrainOptions(folder, [args[1]]), new Lines());
Console.WriteLine($"loss {summary!.LossFirst:F2} -> {summary.LossLast:F2}; the model lies in {folder}/checkpoints/last");
return 0;

sealed class Lines : IPretrainObserver
{
    public void Phase(string what) => Console.WriteLine(what);
    public void Started(RunHeader header) => Console.WriteLine(header.Data);
    public void Logged(StepReport r) => Console.WriteLine($"step {r.Step}: loss {r.Loss:F3}");
    public void Saved(string path, int step) => Console.WriteLine($"saved {path}");
    public void Warned(string message) => Console.WriteLine(message);
    public void Finished(RunSummary summary) { }
}
