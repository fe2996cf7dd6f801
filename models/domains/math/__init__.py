"""Questions with an answer in text: steps, answers, forms, lists, a second grader."""
